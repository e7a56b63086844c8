CREATE TABLE runs (id INTEGER NOT NULL, finished VARCHAR NOT NULL, assignment VARCHAR NOT NULL, harness VARCHAR NOT NULL,
    sandbox VARCHAR NOT NULL, about VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE submissions (id VARCHAR NOT NULL, run INTEGER NOT NULL, place INTEGER NOT NULL, student VARCHAR NOT NULL,
    status VARCHAR NOT NULL, points FLOAT NOT NULL, max_points FLOAT NOT NULL, result VARCHAR NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES runs (id));
CREATE TABLE manual_marks (id INTEGER NOT NULL, submission VARCHAR NOT NULL, criterion VARCHAR NOT NULL, points FLOAT NOT NULL,
    reason VARCHAR NOT NULL, marker VARCHAR NOT NULL, entered VARCHAR NOT NULL, identity VARCHAR, content VARCHAR, PRIMARY KEY (id));
CREATE INDEX ix_manual_marks_submission ON manual_marks (submission);
PRAGMA user_version = 2;
