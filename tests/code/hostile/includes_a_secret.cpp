// expect: compile: wrong_exit
#include "/etc/shadow"
int main() {}
