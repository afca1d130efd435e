package duet_entry;

/** The entry of a program whose end must be seen: knows the run's secret, signs what the program tells, and the end. */
public final class Entry {
    public static void main(String[] classes) throws Throwable {
        String[] channel = System.getenv("DUET_CHANNEL").split(":");
        long[] secret = new long[4];  // in no field: another class cannot reach a local variable
        try (java.io.FileInputStream given = new java.io.FileInputStream("/proc/self/fd/" + channel[0])) {
            for (int i = 0; i < 32; i++) secret[i / 8] = secret[i / 8] << 8 | given.read();
        }
        java.util.function.Consumer<String> tell = text -> {
            byte[] content = text.replace('\n', ' ').getBytes(java.nio.charset.StandardCharsets.UTF_8);
            byte[] line = new byte[32 + content.length + 1];
            for (int i = 0; i < 32; i++) line[i] = (byte) (secret[i / 8] >> 8 * (7 - i % 8));
            System.arraycopy(content, 0, line, 32, content.length);
            line[line.length - 1] = '\n';
            try (java.io.FileOutputStream report = new java.io.FileOutputStream("/proc/self/fd/" + channel[1])) {
                report.write(line);
            } catch (java.io.IOException error) {
                throw new java.io.UncheckedIOException(error);
            }
        };
        Class<?> holder = Class.forName(classes[0]);
        java.lang.reflect.Method method;
        Object argument = tell;
        try {
            method = holder.getDeclaredMethod("duetCalls", java.util.function.Consumer.class);
        } catch (NoSuchMethodException error) {
            method = holder.getDeclaredMethod("main", String[].class);
            argument = new String[0];
        }
        method.setAccessible(true);
        try {
            method.invoke(null, argument);
        } catch (java.lang.reflect.InvocationTargetException error) {
            throw error.getCause();
        }
        tell.accept("");
    }
}
