// expect: compile: wrong_exit memory_limit cpu_limit timeout
#include "/dev/zero"
int main() {}
