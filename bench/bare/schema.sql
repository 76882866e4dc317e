CREATE TABLE IF NOT EXISTS unused (id INTEGER); -- the bare Worker has no state
