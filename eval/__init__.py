"""The evaluation workbench: question sets, measures, runs, reports, comparison.

Names and formulas follow the field: qrels, run, R@k, RR, nDCG@k, per question first and mean second.
Nothing here is imported by `rag` or `ui` before an evaluation is asked for.
"""
