// expect: crashed
int deeper(volatile int n) { return deeper(n + 1) + n; }
int main() { return deeper(0); }
