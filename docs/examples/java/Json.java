import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON as it stands there: numbers in the digits they are written in, no member twice, no half
 * characters. A value is null, Boolean, String, Num, List or Map.
 */
final class Json {
  /** A number, as it is written. */
  record Num(String text) {}

  /** What is no JSON, or none that is taken here. It does not repeat the text. */
  static final class Not extends RuntimeException {
    private static final long serialVersionUID = 1;

    Not(String why) {
      super(why, null, false, false);
    }
  }

  private static final int DEEPEST = 64;
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** Reads exactly one value from UTF-8. */
  static Object parse(byte[] raw) {
    Json r;
    try {
      r = new Json(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString());
    } catch (CharacterCodingException e) {
      throw new Not("not UTF-8");
    }
    Object value = r.value(0);
    r.space();
    if (r.at != r.text.length()) throw new Not("more than one value");
    return value;
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private boolean is(String s) {
    if (!text.startsWith(s, at)) return false;
    at += s.length();
    return true;
  }

  private void must(String s) {
    space();
    if (!is(s)) throw new Not("no " + s + " where one belongs");
  }

  private Object value(int depth) {
    if (depth > DEEPEST) throw new Not("too deep");
    space();
    if (is("{")) return object(depth);
    if (is("[")) return list(depth);
    if (text.startsWith("\"", at)) return string();
    if (is("true")) return true;
    if (is("false")) return false;
    if (is("null")) return null;
    var number = java.util.regex.Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?").matcher(text).region(at, text.length());
    if (!number.lookingAt()) throw new Not("no value");
    at = number.end();
    return new Num(number.group());
  }

  private Map<String, Object> object(int depth) {
    Map<String, Object> members = new LinkedHashMap<>();
    space();
    if (is("}")) return members;
    for (;;) {
      space();
      String name = string();
      if (members.containsKey(name)) throw new Not("a member twice");
      must(":");
      members.put(name, value(depth + 1));
      space();
      if (is("}")) return members;
      must(",");
    }
  }

  private List<Object> list(int depth) {
    List<Object> all = new ArrayList<>();
    space();
    if (is("]")) return all;
    for (;;) {
      all.add(value(depth + 1));
      space();
      if (is("]")) return all;
      must(",");
    }
  }

  private String string() {
    if (!is("\"")) throw new Not("no text where one belongs");
    StringBuilder out = new StringBuilder();
    for (;;) {
      if (at >= text.length()) throw new Not("no end of a text");
      char c = text.charAt(at++);
      if (c == '"') break;
      if (c < ' ') throw new Not("a control character");
      out.append(c == '\\' ? escape() : c);
    }
    for (int i = 0; i < out.length(); i++) {
      if (Character.isHighSurrogate(out.charAt(i)) && i + 1 < out.length() && Character.isLowSurrogate(out.charAt(i + 1))) i++;
      else if (Character.isSurrogate(out.charAt(i))) throw new Not("half a character");
    }
    return out.toString();
  }

  private char escape() {
    char c = at < text.length() ? text.charAt(at++) : ' ';
    if (c == 'u') {
      String digits = text.substring(at, Math.min(at + 4, text.length()));
      if (!digits.matches("[0-9a-fA-F]{4}")) throw new Not("an escape");
      at += 4;
      return (char) Integer.parseInt(digits, 16);
    }
    int i = "\"\\/bfnrt".indexOf(c);
    if (i < 0) throw new Not("an escape");
    return "\"\\/\b\f\n\r\t".charAt(i);
  }

  /** Writes a text as RFC 8785, section 3.2.2.2 does. */
  static String quoted(String s) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      int known = "\"\\\b\f\n\r\t".indexOf(c);
      if (known >= 0) out.append('\\').append("\"\\bfnrt".charAt(known));
      else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  private static final BigInteger MOST = BigInteger.ONE.shiftLeft(53);

  /** The RFC 8785 form of a value whose numbers are whole and not beyond 2^53. Java orders texts by UTF-16. */
  static String canonical(Object v) {
    if (v instanceof Num n) {
      if (!n.text().matches("0|-?[1-9][0-9]{0,15}") || new BigInteger(n.text()).abs().compareTo(MOST) > 0) throw new Not("a number that is not whole and small");
      return n.text();
    }
    if (v instanceof String s) return quoted(s);
    if (v instanceof List<?> l) return "[" + String.join(",", l.stream().map(Json::canonical).toList()) + "]";
    if (v instanceof Map<?, ?> m) {
      List<String> all = new ArrayList<>();
      new TreeMap<>(m).forEach((k, one) -> all.add(quoted((String) k) + ":" + canonical(one)));
      return "{" + String.join(",", all) + "}";
    }
    return String.valueOf(v);
  }
}
