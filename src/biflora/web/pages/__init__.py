"""One module for each role's pages. A page is load, act, go: GET shows, POST acts and redirects."""
