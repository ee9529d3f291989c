package dev.springald;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The etcd in which the schedulers of a cluster keep their state, as a person names it.
 *
 * @param members where it is asked
 * @param prefix below which the schedulers keep their state
 * @param user the user's name; empty for none
 * @param password the user's password; never shown
 * @param tls how connections to it are encrypted, if they are
 */
record EtcdAddress(
    List<Address> members, String prefix, String user, String password, Optional<TlsOptions> tls) {
  static final String SCHEME = "springald+etcd://";

  private static final String FORM =
      SCHEME
          + "[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][/PREFIX] (with "
          + "?tls=true&ca=FILE&certificate=FILE&key=FILE&password_file=FILE)";
  private static final String PREFIX_DEFAULT = "springald";
  private static final Set<String> OPTIONS =
      Set.of("tls", "ca", "certificate", "key", "password_file");

  /** Reads a URL that begins with {@link #SCHEME}. */
  static EtcdAddress ofUrl(String url) {
    String text = Checks.text(url, "a cluster's url").substring(SCHEME.length());
    int at = text.lastIndexOf('@');
    // What stands before the at sign may be a password.
    String who = at < 0 ? "" : text.substring(0, at);
    String rest = text.substring(at + 1);
    int question = rest.indexOf('?');
    String query = question < 0 ? "" : rest.substring(question + 1);
    String place = question < 0 ? rest : rest.substring(0, question);
    int slash = place.indexOf('/');
    String hosts = slash < 0 ? place : place.substring(0, slash);
    String path = slash < 0 ? "" : place.substring(slash).replaceAll("^/+|/+$", "");
    List<String> members = Arrays.stream(hosts.split(",")).filter(h -> !h.isEmpty()).toList();
    Map<String, String> options = options(query);
    if (members.isEmpty()
        || !members.stream().allMatch(member -> member.matches(".+:\\d{1,5}"))
        || !OPTIONS.containsAll(options.keySet())) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "a cluster in etcd is named " + FORM + ": got '" + SCHEME + rest + "'");
    }
    int colon = who.indexOf(':');
    String password =
        options.containsKey("password_file")
            ? passwordIn(Path.of(options.get("password_file")))
            : decoded(colon < 0 ? "" : who.substring(colon + 1));
    return new EtcdAddress(
        members.stream().map(Address::ofServer).toList(),
        path.isEmpty() ? PREFIX_DEFAULT : path,
        decoded(colon < 0 ? who : who.substring(0, colon)),
        password,
        tls(options));
  }

  @Override
  public String toString() {
    return SCHEME
        + String.join(",", members.stream().map(Address::toString).toList())
        + "/"
        + prefix;
  }

  private static Optional<TlsOptions> tls(Map<String, String> options) {
    TlsOptions tls = TlsOptions.system();
    if (options.containsKey("ca")) {
      tls = tls.withTrustedCertificates(Path.of(options.get("ca")));
    }
    if (options.containsKey("certificate") && options.containsKey("key")) {
      tls =
          tls.withClientCertificate(
              Path.of(options.get("certificate")), Path.of(options.get("key")));
    }
    boolean isWanted =
        "true".equals(options.get("tls"))
            || options.containsKey("ca")
            || options.containsKey("certificate");
    return isWanted ? Optional.of(tls) : Optional.empty();
  }

  private static Map<String, String> options(String query) {
    Map<String, String> options = new HashMap<>();
    for (String pair : query.isEmpty() ? new String[0] : query.split("&")) {
      int equals = pair.indexOf('=');
      options.put(
          decoded(equals < 0 ? pair : pair.substring(0, equals)),
          equals < 0 ? "" : decoded(pair.substring(equals + 1)));
    }
    return options;
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static String passwordIn(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException unreadable) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "a file of a password can be read: got " + unreadable.getMessage());
    }
  }
}
