# vegan's side of benchmarks/cohort.py: the same files, the same jobs, one line of JSON.
suppressMessages({library(vegan); library(permute)})
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]; n <- as.integer(given[2]); permutations <- as.integer(given[3])
size <- file.info(file.path(folder, "entries.bin"))$size / 4
entries <- matrix(readBin(file.path(folder, "entries.bin"), "integer", size), ncol = 3, byrow = TRUE)
counts <- matrix(0, n, 2000)
counts[cbind(entries[, 1] + 1, entries[, 2] + 1)] <- entries[, 3]
about <- read.csv(file.path(folder, "samples.csv"))
repeats <- if (length(given) > 3) as.integer(given[4]) else 1L
bray_all <- sapply(seq_len(repeats), function(i) system.time(bray <<- vegdist(counts, "bray"))[["elapsed"]])
bray_s <- min(bray_all)
writeBin(as.vector(bray), file.path(folder, "vegan.bin"))
# Whole subjects change places, samples stay inside them.
deal <- how(nperm = permutations, plots = Plots(strata = factor(about$subject), type = "free"),
            within = Within(type = "none"))
set.seed(1)
adonis_s <- system.time(found <- adonis2(bray ~ arm + age, about, permutations = deal, by = "terms"))[["elapsed"]]
cat(sprintf('{"version": "%s", "bray_curtis": {"first_s": %.3f, "seconds": %.3f}, "permanova": {"seconds": %.3f, "f": {"arm": %.15g, "age": %.15g}, "p": {"arm": %.15g, "age": %.15g}}}\n',
            packageVersion("vegan"), bray_all[1], bray_s, adonis_s, found$F[1], found$F[2], found[["Pr(>F)"]][1], found[["Pr(>F)"]][2]))
