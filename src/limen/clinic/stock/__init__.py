"""The controlled-drug ledger: vials and the lines that must close."""
