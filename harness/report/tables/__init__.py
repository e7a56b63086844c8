"""Tables that people and LMSs exchange, as frames: CSV as spreadsheets write it, and .xlsx."""
