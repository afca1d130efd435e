// expect: compile: wrong_exit memory_limit cpu_limit
#include __FILE__
#include __FILE__
int main() {}
