// expect: memory_limit
import java.util.*;

public class Main {
    public static void main(String[] arguments) {
        List<byte[]> blocks = new ArrayList<>();
        while (true) blocks.add(new byte[1 << 20]);
    }
}
