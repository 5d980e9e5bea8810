"""The Train tab: the buttons, the charts, the log and the film of a run."""
