"""The log: one port (`eventlog.log`) and its adapters. The port's docstring is the contract."""
