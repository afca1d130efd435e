# expect: ok; prevented
import socket

# netlink with netfilter, netlink with routes, packets, the machine's hypervisor, plain TCP and UDP
doors = [(16, 3, 12), (16, 3, 0), (17, 3, 0), (40, 1, 0), (2, 1, 0), (10, 2, 0)]
for family, kind, protocol in doors:
    try:
        socket.socket(family, kind, protocol)
    except PermissionError:
        print("prevented", family)
    else:
        print("ESCAPED", family)
