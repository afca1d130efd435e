# expect: file_limit
files = []
while True:
    files.append(open("/dev/null"))
