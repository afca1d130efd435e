// expect: compile: cpu_limit memory_limit wrong_exit
template <int N, int M> struct Tree {
    static const long value = Tree<N - 1, 2 * M>::value + Tree<N - 1, 2 * M + 1>::value;
};
template <int M> struct Tree<0, M> { static const long value = M; };
int main() { return Tree<26, 0>::value; }
