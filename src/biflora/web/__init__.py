"""The clinic's pages: server-rendered, one set for each role, nothing leaves the machine."""
