"""How much of the reference points an answer shares: chrF++, BLEU and ROUGE, each from 0 to 100.

All three are held against the first answer, as the model gave it; one that could not be read shares
nothing. Of two summaries of one paper by different hands (18 papers of 2024-01-12) they make, in
the mean, chrF++ 30, BLEU 31 and ROUGE 70, 42 and 45 (1, 2, L); of summaries of different papers 10,
7 and 45, 11 and 17.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from summarizer import __version__
from summarizer.errors import InputError
from summarizer.evals.scorers import first_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from summarizer.digest import Entry
    from summarizer.evals.cases import Case


class _Sacrebleu:
    """A measure of sacrebleu (Post 2018) as a scorer; its parameters are those of that measure.

    Args:
        measure: Its class in `sacrebleu.metrics`.
        settings: Where they are not sacrebleu's own.
    """

    def __init__(self, measure: str, **settings: Any) -> None:
        self._measure = measure
        self._settings = settings

    def __call__(self, entry: Entry, case: Case, **settings: Any) -> float | None:
        if not case.target.strip():
            return None
        measure = _measure(self._measure, **self._settings | settings)
        score: float = measure.sentence_score(first_text(entry), [case.target]).score
        return round(score, 6)

    def signature(self, **settings: Any) -> str:
        """Sacrebleu's own.

        Raises:
            InputError: sacrebleu is not installed, or cannot take these settings.
        """
        try:
            measure = _measure(self._measure, **self._settings | settings)
            measure.sentence_score("", [""])  # how many references there are is part of it
        except ModuleNotFoundError:
            raise InputError(
                "sacrebleu is not installed", hint="pip install 'summarizer[evals]'"
            ) from None
        except Exception as error:  # noqa: BLE001 - sacrebleu raises whatever comes first
            told = " ".join(str(error).split())
            raise InputError(
                f"sacrebleu's {self._measure} cannot take {settings}: {told}"
            ) from None
        return str(measure.get_signature())


@cache
def _measure(name: str, **settings: Any) -> Any:
    import sacrebleu.metrics

    return getattr(sacrebleu.metrics, name)(**settings)


chrf = _Sacrebleu("CHRF", word_order=2)
"""chrF++ (Popović 2017): n-grams of characters and words; it needs no tokenizer."""

bleu = _Sacrebleu("BLEU", tokenize="char", effective_order=True)
"""BLEU (Papineni et al. 2002) over characters, smoothed as sacrebleu does for one text.

Over words it says little of Korean, whose particles make one word many: it took the summaries above
apart less than half as well. `tokenize: ko-mecab` splits them off where `sacrebleu[ko]` is
installed. A mean of this is not the BLEU of a corpus.
"""

# A Hangul syllable, a run of other letters, or a number; rouge-score, by default, drops whatever is
# not a-z or 0-9, and so finds nothing in Korean.
_TOKEN = re.compile(r"[가-힣]|(?:(?![가-힣])[^\W\d_])+|\d+(?:[.,]\d+)*")


class _Rouge:
    """ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as F1, for Hangul too.

    A token is a Hangul syllable, a run of other letters in lower case, or a number. Syllables need
    no dictionary, and a word with another particle still counts for what it shares; the price is a
    ROUGE-1 that is high for any two Korean texts. ROUGE-L is of the whole text as one sequence.
    """

    def __call__(self, entry: Entry, case: Case) -> Mapping[str, float | None]:
        wanted = _tokens(case.target)
        if not wanted:
            return dict.fromkeys(("1", "2", "l"))
        said = _tokens(first_text(entry))
        return {
            "1": _f1(_shared(said, wanted, 1), len(said), len(wanted)),
            "2": _f1(_shared(said, wanted, 2), len(said) - 1, len(wanted) - 1),
            "l": _f1(_longest(said, wanted), len(said), len(wanted)),
        }

    def signature(self) -> str:
        return f"tok:syllable|case:lc|f:1|version:{__version__}"


rouge = _Rouge()


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _f1(shared: int, said: int, wanted: int) -> float:
    """The harmonic mean of precision and recall, which is this where both count one set."""
    return 200 * shared / (said + wanted) if shared else 0.0


def _shared(a: Sequence[str], b: Sequence[str], n: int) -> int:
    """How many n-grams two sequences share, each as often as both have it."""
    counts_a, counts_b = Counter(_ngrams(a, n)), Counter(_ngrams(b, n))
    both = list(counts_a.keys() & counts_b.keys())
    return sum(map(min, map(counts_a.__getitem__, both), map(counts_b.__getitem__, both)))


def _ngrams(tokens: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(tokens[start:] for start in range(n)), strict=False)


def _longest(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    A row of the table is the bits of one number (Hyyrö 2004), so that two summaries take a fifth of
    a millisecond and not a hundred.
    """
    places: dict[str, int] = {}
    for place, token in enumerate(b):
        places[token] = places.get(token, 0) | 1 << place
    every = (1 << len(b)) - 1
    row = every
    for token in a:
        matched = row & places.get(token, 0)
        row = ((row + matched) | (row - matched)) & every
    return len(b) - row.bit_count()
