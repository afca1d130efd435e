// expect: crashed
#include <stdexcept>
int main() { throw std::runtime_error("std::bad_alloc: out of memory, Cannot allocate memory, File too large"); }
