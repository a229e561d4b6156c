"""Evidence of the council's work: the evidence pack and highlight reports."""
