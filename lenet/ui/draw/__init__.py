"""The Draw tab: the pad, the answer, the network in use and what happens inside it."""
