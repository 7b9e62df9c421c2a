"""What a power cut or a failing disk leaves of the books: recorded from a real process, cut at every point, recovered.

`recording` writes down by strace what a process does to its files and what it tells. `disk` knows what may be left of
that after a cut. `scenario` is such a process; `verdict` opens what is left with the real store and says what is wrong.
"""
