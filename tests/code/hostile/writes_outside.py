# expect: ok; prevented
import os

written = []
for folder in (
    "/",
    "/usr",
    "/usr/lib",
    "/etc",
    "/dev",
    "/sandbox",
    "/proc",
    "/home",
    os.path.dirname(os.environ["HOST_SECRET"]),
):
    try:
        with open(os.path.join(folder, "intruder"), "w") as file:
            file.write("x")
        written.append(folder)
    except OSError:
        continue
print("ESCAPED" if written else "prevented", written)
