// expect: compile: wrong_exit file_limit memory_limit cpu_limit timeout
char block[1u << 31] = {1};
int main() { return block[0]; }
