"""Builds the data file of a language: the lexer automata and the costs of finishing a program.

python -m apps.code.grammar.build python            # sources from the npm package of the pinned version
python -m apps.code.grammar.build json --source DIR # or from an unpacked grammar package
"""
