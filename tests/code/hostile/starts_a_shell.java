// expect: ok; prevented
public class Main {
    public static void main(String[] arguments) throws Exception {
        Process shell = new ProcessBuilder("/bin/sh", "-c", "touch /usr/intruder || touch /sandbox/intruder").start();
        System.out.println(shell.waitFor() == 0 ? "ESCAPED" : "prevented");
    }
}
