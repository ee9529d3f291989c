package dev.springald;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * How connections to the scheduler and to executors are encrypted.
 *
 * <pre>{@code
 * TlsOptions tls =
 *     TlsOptions.system()
 *         .withTrustedCertificates(Path.of("/etc/springald/ca.pem"))
 *         .withClientCertificate(Path.of("client.pem"), Path.of("client.key"));
 * ConnectOptions options = ConnectOptions.builder().tls(tls).build();
 * }</pre>
 */
public final class TlsOptions {
  private final Path trusted;
  private final Path certificate;
  private final Path key;
  private final String hostName;

  private TlsOptions(Path trusted, Path certificate, Path key, String hostName) {
    this.trusted = trusted;
    this.certificate = certificate;
    this.key = key;
    this.hostName = hostName;
  }

  /** Trusts the certificates that this Java trusts. */
  public static TlsOptions system() {
    return new TlsOptions(null, null, null, null);
  }

  /** Trusts the authorities in a PEM file, and no others. */
  public TlsOptions withTrustedCertificates(Path pem) {
    return new TlsOptions(Objects.requireNonNull(pem, "pem"), certificate, key, hostName);
  }

  /** Shows a certificate of this client, in PEM, with its private key in PKCS 8. */
  public TlsOptions withClientCertificate(Path pem, Path privateKey) {
    return new TlsOptions(
        trusted,
        Objects.requireNonNull(pem, "pem"),
        Objects.requireNonNull(privateKey, "privateKey"),
        hostName);
  }

  /** Expects this name in the servers' certificates, instead of the one they were reached by. */
  public TlsOptions withHostName(String name) {
    return new TlsOptions(trusted, certificate, key, Checks.text(name, "a host name"));
  }

  Optional<String> hostName() {
    return Optional.ofNullable(hostName);
  }

  /** Reads the files. */
  SslContext context() {
    try {
      SslContextBuilder builder = GrpcSslContexts.forClient();
      if (trusted != null) {
        builder.trustManager(trusted.toFile());
      }
      if (certificate != null) {
        builder.keyManager(certificate.toFile(), key.toFile());
      }
      return builder.build();
    } catch (SSLException | IllegalArgumentException unreadable) {
      throw ErrorCode.INVALID_ARGUMENT.error(
          "TLS needs certificates and keys that can be read: got '"
              + unreadable.getMessage()
              + "'; give PEM files");
    }
  }
}
