"""Values that an object works out when it is first asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Lazy(Generic[T]):
    """`functools.cached_property` without the lock that it takes on Python 3.11.

    A paper has some twenty such values, and the lock takes longer than most of them. Two threads
    that ask at once both work the value out, and get equal ones.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Lazy[T] | T:
        if instance is None:
            return self
        # From now on the attribute is found before this descriptor is asked.
        value = instance.__dict__[self._name] = self._work_out(instance)
        return value
