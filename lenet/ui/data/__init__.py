"""The Data tab: what a network learns from."""
