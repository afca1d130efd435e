// expect: compile: wrong_exit output_limit
#define A(x) B(x) B(x) B(x) B(x)
#define B(x) C(x) C(x) C(x) C(x)
#define C(x) D(x) D(x) D(x) D(x)
#define D(x) undeclared_##x();
int main() { A(1) A(2) A(3) }
