"""`python -m summarizer` is the console script."""

from summarizer.cli import main

main()
