"""The paper's tables and figures counted and measured: ablations, costs, scaling."""
