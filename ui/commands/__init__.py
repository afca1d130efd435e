"""The commands of `duet`: a module with several exports `app`, one with a single command a function."""
