"""The Results tab: which test digits a network misreads."""
