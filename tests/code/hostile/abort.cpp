// expect: crashed
#include <cstdlib>
int main() { abort(); }
