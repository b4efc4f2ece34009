"""The synthetic demo cohort as data: nobody in it is real.

`people.toml` holds invented people. `communities.csv` holds mean shares in percent that the developers chose
as plausible for a condition and body site; they are assumed, serve the demonstration only, and no number of
them enters a patient's plan as knowledge. `taxa.csv` holds names, lineages and NCBI numbers for the files.
"""
