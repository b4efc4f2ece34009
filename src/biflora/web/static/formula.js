// The bench asks the checker while one types. Without this file its Check button does the same.
"use strict";
(function () {
  const form = document.getElementById("bench");
  if (!form || !window.fetch || !window.AbortController) return;
  const said = document.getElementById("said-words");
  const answer = document.getElementById("answer");
  const lines = document.getElementById("lines");
  let waiting = 0;
  let asked = null;

  const say = function (words, level) {
    // Only a changed text is read aloud.
    if (said.textContent !== words) said.textContent = words;
    said.className = "status " + level;
  };

  const show = function (page) {
    const given = page.getElementById("said-words");
    answer.replaceChildren(...page.getElementById("answer").childNodes);
    say(given.textContent, given.classList[1]);
    for (const place of form.querySelectorAll("[data-answer]")) {
      const other = page.getElementById(place.id);
      place.textContent = other ? other.textContent : "";
      const field = document.getElementById(place.id.replace(/-problem$/, ""));
      if (!place.id.endsWith("-problem") || !field || !field.matches("input, select")) continue;
      if (place.textContent) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };

  const ask = async function () {
    if (asked) asked.abort();
    const mine = asked = new AbortController();
    answer.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams(new FormData(form));
      body.delete("pasted");
      const reply = await fetch(form.action, { method: "POST", body: body, signal: mine.signal, headers: { "x-bench": "live" } });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      if (!page.getElementById("answer")) throw new Error("another page");
      show(page);
    } catch (problem) {
      if (mine.signal.aborted) return;
      say("The checker did not answer. Press Check, or load this page again.", "warn");
    }
    if (asked === mine) answer.removeAttribute("aria-busy");
  };

  const soon = function () {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 400);
  };

  const spare = function () {
    // One empty line always waits at the end.
    const last = lines.rows[lines.rows.length - 1];
    if (!last.querySelector("[name=ingredient]").value && !last.querySelector("[name=percent]").value) return;
    const row = last.cloneNode(true);
    const before = last.querySelector("[name=line]").value;
    const number = String(1 + Math.max(...Array.from(lines.querySelectorAll("[name=line]"), (field) => Number(field.value))));
    for (const part of row.querySelectorAll("[id], [for], [aria-describedby]"))
      for (const name of ["id", "for", "aria-describedby"])
        if (part.hasAttribute(name)) part.setAttribute(name, part.getAttribute(name).replace("-" + before, "-" + number));
    for (const place of row.querySelectorAll("[data-answer]")) place.textContent = "";
    for (const label of row.querySelectorAll(".unseen")) label.textContent = label.textContent.replace("line " + before, "line " + number);
    for (const field of row.querySelectorAll("input")) { field.value = ""; field.removeAttribute("aria-invalid"); }
    row.querySelector("[name=line]").value = number;
    row.querySelector("button").value = "remove-" + number;
    lines.append(row);
  };

  form.addEventListener("input", function (event) {
    if (event.target.id === "pasted") return;
    spare();
    soon();
  });
  form.addEventListener("submit", function (event) {
    const pressed = event.submitter && event.submitter.name === "act" ? event.submitter.value : "check";
    if (pressed === "paste") return;
    event.preventDefault();
    if (pressed.startsWith("remove-")) {
      const row = event.submitter.closest("tr");
      const next = row.nextElementSibling || row.previousElementSibling;
      if (!next) return;
      // An empty last line is the one that waits; it stays.
      if (row !== lines.rows[lines.rows.length - 1]) row.remove();
      next.querySelector("[name=ingredient]").focus();
    }
    clearTimeout(waiting);
    ask();
  });
})();
