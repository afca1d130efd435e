# expect: wrong_exit
input("password: ")
