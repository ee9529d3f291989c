package dev.springald;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

/** A host and a port, as a URL of a cluster or an executor names them. */
record Address(String host, int port) {
  private static final String SCHEME = "springald";

  /** Reads {@code springald://host:port,host:port}. */
  static List<Address> allOfUrl(String url) {
    String[] servers = Checks.text(url, "a cluster's url").replaceFirst("/$", "").split(",", -1);
    List<Address> addresses = new ArrayList<>();
    for (int at = 0; at < servers.length; at++) {
      addresses.add(ofUrl(at == 0 ? servers[at] : SCHEME + "://" + servers[at]));
    }
    return addresses;
  }

  /** Reads {@code springald://host:port}. */
  static Address ofUrl(String url) {
    URI uri;
    try {
      uri = new URI(Checks.text(url, "a cluster's url"));
    } catch (URISyntaxException garbled) {
      throw refused(url, garbled.getReason());
    }
    if (!SCHEME.equals(uri.getScheme())) {
      throw refused(url, "the scheme '" + uri.getScheme() + "'");
    }
    if (uri.getRawAuthority() != null && uri.getRawAuthority().contains("@")) {
      // The text before this may be a password, which must not be repeated.
      throw ErrorCode.INVALID_ARGUMENT.error("a cluster's url has no user: leave it out");
    }
    if (uri.getHost() == null) {
      throw refused(url, "no host");
    }
    String path = uri.getRawPath() == null ? "" : uri.getRawPath();
    if (!path.replace("/", "").isEmpty()
        || uri.getRawQuery() != null
        || uri.getFragment() != null) {
      throw refused(url, "more than a host and a port");
    }
    int port = uri.getPort() < 0 ? Limits.PORT_DEFAULT : uri.getPort();
    if (port == 0 || port > Limits.PORT_MAX) {
      throw refused(url, "the port " + port);
    }
    return new Address(uri.getHost(), port);
  }

  /** Reads the {@code host:port} of a Flight server. */
  static Address ofServer(String text) {
    int colon = text.lastIndexOf(':');
    try {
      return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    } catch (IndexOutOfBoundsException | NumberFormatException garbled) {
      throw ErrorCode.MESSAGE_GARBLED.error("an executor's address is host:port: got " + text);
    }
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }

  private static SpringaldException refused(String url, String found) {
    return ErrorCode.INVALID_ARGUMENT.error(
        "a cluster's url is springald://host:port: got "
            + found
            + " in '"
            + url
            + "'; write for example springald://127.0.0.1:"
            + Limits.PORT_DEFAULT);
  }
}
