"""The eval engine: cases, scorers and gates; runs, and two of them held against each other.

A run drives the very flow that an operator runs (`drivers.regenerate`); nothing here asks a model.
"""
