# expect: ok; prevented
try:
    open(__file__, "w").write("print()")
except OSError as error:
    print("prevented:", error)
else:
    print("ESCAPED")
