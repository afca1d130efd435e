# expect: file_limit
with open("/tmp/big", "wb") as file:
    while True:
        file.write(bytes(1 << 20))
