# expect: wrong_exit
def deeper():
    deeper()


deeper()
