// Keyboard shortcuts. The pages work without them; no key acts by itself, each only moves or focuses.
"use strict";
document.addEventListener("keydown", function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const go = function (selector) {
    const found = document.querySelector(selector);
    if (!found) return;
    event.preventDefault();
    if (found.tagName === "A" && found.rel) { found.click(); return; }
    if (found.tagName === "DETAILS") found.open = true;
    found.scrollIntoView({ block: "center" });
    found.focus();
  };
  const rows = Array.from(document.querySelectorAll("a.open"));
  const here = rows.indexOf(document.activeElement);
  if (event.key === "j" && rows.length) rows[Math.min(here + 1, rows.length - 1)].focus();
  else if (event.key === "k" && rows.length) rows[Math.max(here - 1, 0)].focus();
  else if (event.key === "n") go("a[rel=next]");
  else if (event.key === "p") go("a[rel=prev]");
  else if (event.key === "a") go("#approve");
  else if (event.key === "w") go("form[action$='/prescribe'] button");
  else if (event.key === "s") go("form[action$='/sign'] button");
  else if (event.key === "o") go("#enter-outcome");
  else if (event.key === "d") location.hash = "decide";
  else if (event.key === "f" && document.getElementById("formula")) location.hash = "formula";
  else if (["1", "2", "3", "4"].includes(event.key) && document.querySelector(".patient-grid"))
    location.hash = ["now", "happen", "propose", "done"][Number(event.key) - 1];
});
const problem = document.getElementById("problem");
if (problem) problem.focus();
