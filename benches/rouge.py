"""Scores summaries by ROUGE-1, ROUGE-2 and ROUGE-L (F1, in per cent).

Usage: python rouge.py ARTICLES.jsonl SUMMARIES.jsonl

Each line of ARTICLES.jsonl has the strings `id` and `abstract` (the reference
summary). Each line of SUMMARIES.jsonl has `id` and `summary`.
Needs the package rouge-score.
"""

import json
import statistics
import sys
import unicodedata

from rouge_score import rouge_scorer

MEASURES = {"R1": "rouge1", "R2": "rouge2", "RL": "rougeL"}


class Tokenizer:
    """Splits a text into lower-case runs of letters and digits, without stemming.

    The package's own tokeniser drops accented letters, which splits French words.
    """

    def tokenize(self, text):
        composed = unicodedata.normalize("NFC", text.lower())
        return "".join(c if c.isalnum() else " " for c in composed).split()


def rows(path):
    """Returns the objects of a JSONL file by their id."""
    with open(path, encoding="utf-8") as lines:
        parsed = [json.loads(line) for line in lines if line.strip()]
    return {row["id"]: row for row in parsed}


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    articles, summaries = map(rows, arguments)
    missing = articles.keys() - summaries.keys()
    if missing or not articles:
        sys.exit(f"{len(missing)} of {len(articles)} articles have no summary")
    tokenizer = Tokenizer()
    scorer = rouge_scorer.RougeScorer(list(MEASURES.values()), tokenizer=tokenizer)
    scores = [scorer.score(row["abstract"], summaries[id]["summary"]) for id, row in articles.items()]
    lengths = [len(tokenizer.tokenize(summaries[id]["summary"])) for id in articles]
    for name, measure in MEASURES.items():
        print(f"{name} {100 * statistics.mean(score[measure].fmeasure for score in scores):.2f}")
    print(f"articles {len(articles)}, words a summary {statistics.mean(lengths):.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
