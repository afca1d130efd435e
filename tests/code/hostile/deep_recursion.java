// expect: wrong_exit
public class Main {
    static int deeper(int n) { return deeper(n + 1) + n; }
    public static void main(String[] arguments) { deeper(0); }
}
