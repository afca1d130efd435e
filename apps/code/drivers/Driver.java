/** Calls a method on each line of stdin: its number and arguments in, as JSON, and the result out. Types come from the
 * method itself. */
class DuetDriver {
    private final String line;
    private int at = 0;

    private DuetDriver(String line) { this.line = line; }

    static void run(java.util.function.Consumer<String> tell, String[] entryPoints, String... classes) throws Exception {
        java.io.BufferedReader input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, "UTF-8"));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String text;
            try {
                java.util.List<?> called = (java.util.List<?>) new DuetDriver(line).value();
                java.util.List<?> values = (java.util.List<?>) called.get(1);
                java.lang.reflect.Method method = find(entryPoints[Math.toIntExact((Long) called.get(0))], values.size(), classes);
                method.setAccessible(true);
                java.lang.reflect.Type[] types = method.getGenericParameterTypes();
                Object[] arguments = new Object[types.length];
                for (int i = 0; i < types.length; i++) arguments[i] = convert(values.get(i), types[i]);
                Object owner = null;
                if (!java.lang.reflect.Modifier.isStatic(method.getModifiers())) {
                    java.lang.reflect.Constructor<?> constructor = method.getDeclaringClass().getDeclaredConstructor();
                    constructor.setAccessible(true);
                    owner = constructor.newInstance();
                }
                text = show(method.invoke(owner, arguments));
            } catch (java.lang.reflect.InvocationTargetException error) {
                text = "!" + error.getCause();
            } catch (Exception error) {
                text = "!" + error;
            }
            tell.accept(text);
        }
    }

    private static java.lang.reflect.Method find(String name, int count, String[] classes) throws Exception {
        for (String holder : classes)  // types of the program, whatever they are nested in
            for (java.lang.reflect.Method method : Class.forName(holder).getDeclaredMethods())
                if (method.getName().equals(name) && method.getParameterCount() == count) return method;
        throw new NoSuchMethodException(name + " with " + count + " parameters");
    }

    private Object value() {
        blanks();
        char c = line.charAt(at);
        if (c == '[') {
            java.util.List<Object> items = new java.util.ArrayList<>();
            at++;
            blanks();
            if (line.charAt(at) == ']') { at++; return items; }
            while (true) {
                items.add(value());
                blanks();
                if (line.charAt(at++) == ']') return items;
            }
        }
        if (c == '"') return text();
        if (line.startsWith("true", at)) { at += 4; return true; }
        if (line.startsWith("false", at)) { at += 5; return false; }
        if (line.startsWith("null", at)) { at += 4; return null; }
        int start = at;
        while (at < line.length() && "+-.0123456789eE".indexOf(line.charAt(at)) >= 0) at++;
        String number = line.substring(start, at);
        if (number.matches("-?\\d+")) return Long.parseLong(number);
        return Double.parseDouble(number);
    }

    private void blanks() { while (at < line.length() && line.charAt(at) <= ' ') at++; }

    private String text() {
        StringBuilder out = new StringBuilder();
        for (at++; line.charAt(at) != '"'; at++) {
            char c = line.charAt(at);
            if (c != '\\') { out.append(c); continue; }
            c = line.charAt(++at);
            int escape = "ntrbf".indexOf(c);
            if (escape >= 0) out.append("\n\t\r\b\f".charAt(escape));
            else if (c == 'u') { out.append((char) Integer.parseInt(line.substring(at + 1, at + 5), 16)); at += 4; }
            else out.append(c);
        }
        at++;
        return out.toString();
    }

    private static Object convert(Object value, java.lang.reflect.Type type) throws Exception {
        if (type instanceof java.lang.reflect.ParameterizedType) {
            java.lang.reflect.ParameterizedType parameterized = (java.lang.reflect.ParameterizedType) type;
            Class<?> raw = (Class<?>) parameterized.getRawType();
            java.lang.reflect.Type element = parameterized.getActualTypeArguments()[0];
            if (raw == java.util.Optional.class) return java.util.Optional.ofNullable(value == null ? null : convert(value, element));
            java.util.Collection<Object> items;
            if (raw.isAssignableFrom(java.util.ArrayList.class)) items = new java.util.ArrayList<>();
            else if (raw.isAssignableFrom(java.util.LinkedList.class)) items = new java.util.LinkedList<>();
            else if (raw.isAssignableFrom(java.util.LinkedHashSet.class)) items = new java.util.LinkedHashSet<>();
            else throw new IllegalArgumentException("no argument can be made for " + type);
            for (Object item : (java.util.List<?>) value) items.add(convert(item, element));
            return items;
        }
        if (type instanceof java.lang.reflect.WildcardType) return convert(value, ((java.lang.reflect.WildcardType) type).getUpperBounds()[0]);
        Class<?> wanted = (Class<?>) type;
        if (wanted.isArray()) {
            java.util.List<?> items = (java.util.List<?>) value;
            Object array = java.lang.reflect.Array.newInstance(wanted.getComponentType(), items.size());
            for (int i = 0; i < items.size(); i++) java.lang.reflect.Array.set(array, i, convert(items.get(i), wanted.getComponentType()));
            return array;
        }
        if (wanted.getSimpleName().equals("ListNode")) return listNode((java.util.List<?>) value, wanted);
        if (wanted.getSimpleName().equals("TreeNode")) return treeNode((java.util.List<?>) value, wanted);
        if (wanted == int.class || wanted == Integer.class) return Math.toIntExact((Long) value);
        if (wanted == long.class || wanted == Long.class) return (Long) value;
        if (wanted == double.class || wanted == Double.class) return ((Number) value).doubleValue();
        if (wanted == float.class || wanted == Float.class) return ((Number) value).floatValue();
        if (wanted == char.class || wanted == Character.class) {
            if (((String) value).length() != 1) throw new IllegalArgumentException("argument is no char");
            return ((String) value).charAt(0);
        }
        if (wanted == boolean.class || wanted == Boolean.class) return (Boolean) value;
        if (wanted == String.class || wanted == Object.class) return value instanceof Long && (Long) value == ((Long) value).intValue() ? (Object) ((Long) value).intValue() : value;
        throw new IllegalArgumentException("no argument can be made for " + type);
    }

    private static Object node(Class<?> type, Object value) throws Exception {
        java.lang.reflect.Constructor<?> constructor = type.getDeclaredConstructor(int.class);
        constructor.setAccessible(true);
        return constructor.newInstance(Math.toIntExact((Long) value));
    }

    private static Object get(Object node, String name) throws Exception {
        java.lang.reflect.Field field = node.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(node);
    }

    private static void set(Object node, String name, Object value) throws Exception {
        java.lang.reflect.Field field = node.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.set(node, value);
    }

    private static Object listNode(java.util.List<?> values, Class<?> type) throws Exception {
        Object head = null;
        for (int i = values.size() - 1; i >= 0; i--) {
            Object node = node(type, values.get(i));
            set(node, "next", head);
            head = node;
        }
        return head;
    }

    private static Object treeNode(java.util.List<?> values, Class<?> type) throws Exception {
        if (values.isEmpty() || values.get(0) == null) return null;
        Object root = node(type, values.get(0));
        java.util.ArrayDeque<Object> waiting = new java.util.ArrayDeque<>();
        waiting.add(root);
        for (int i = 1; i < values.size() && !waiting.isEmpty(); ) {
            Object parent = waiting.poll();
            for (String side : new String[] {"left", "right"}) {
                if (i < values.size() && values.get(i) != null) {
                    Object child = node(type, values.get(i));
                    set(parent, side, child);
                    waiting.add(child);
                }
                i++;
            }
        }
        return root;
    }

    private static String show(Object value) throws Exception {
        if (value == null) return "null";
        if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            return Double.isNaN(number) || Double.isInfinite(number) ? "null" : value.toString();
        }
        if (value instanceof Number || value instanceof Boolean) return value.toString();
        if (value instanceof java.util.Optional) return show(((java.util.Optional<?>) value).orElse(null));
        java.util.List<String> items = new java.util.ArrayList<>();
        if (value instanceof java.util.Map) {
            for (java.util.Map.Entry<?, ?> entry : ((java.util.Map<?, ?>) value).entrySet())
                items.add(quoted(String.valueOf(entry.getKey())) + ": " + show(entry.getValue()));
            return "{" + String.join(", ", items) + "}";
        }
        if (value.getClass().isArray()) {
            for (int i = 0; i < java.lang.reflect.Array.getLength(value); i++) items.add(show(java.lang.reflect.Array.get(value, i)));
        } else if (value instanceof java.util.Collection) {
            for (Object item : (java.util.Collection<?>) value) items.add(show(item));
        } else if (value.getClass().getSimpleName().equals("ListNode")) {
            for (Object node = value; node != null; node = get(node, "next")) {
                items.add(show(get(node, "val")));
                if (items.size() > 100000) throw new IllegalStateException("the list has a cycle");
            }
        } else if (value.getClass().getSimpleName().equals("TreeNode")) {
            java.util.LinkedList<Object> waiting = new java.util.LinkedList<>();
            waiting.add(value);
            while (!waiting.isEmpty()) {
                Object node = waiting.poll();
                items.add(node == null ? "null" : show(get(node, "val")));
                if (node != null) { waiting.add(get(node, "left")); waiting.add(get(node, "right")); }
                if (items.size() > 200000) throw new IllegalStateException("the tree has a cycle");
            }
            while (!items.isEmpty() && items.get(items.size() - 1).equals("null")) items.remove(items.size() - 1);
        } else {
            return quoted(value.toString());
        }
        return "[" + String.join(", ", items) + "]";
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}
