// expect: memory_limit
#include <vector>
int main() {
    std::vector<char> block(1ULL << 40);
    return block[12345];
}
