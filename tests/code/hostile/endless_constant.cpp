// expect: compile: cpu_limit memory_limit wrong_exit
constexpr long spin(long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) for (long j = 0; j < 200000; j++) sum += j;
    return sum;
}
constexpr long a = spin(1), b = spin(2), c = spin(3);
static_assert(spin(1000000) == 0);
int main() {}
