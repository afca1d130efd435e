"""How good the support assistant is: questions with known answers from any shop's database, and refusals."""
