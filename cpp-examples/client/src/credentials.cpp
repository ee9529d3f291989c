#include "credentials.hpp"

#include <fstream>
#include <iterator>

#include "springald/error.hpp"

namespace springald {

namespace {

std::string pem(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // What is no PEM would be told by gRPC as a server that cannot be reached.
  if (!file.is_open() || text.find("-----BEGIN ") == std::string::npos) {
    raise(error::v1::CODE_INVALID_ARGUMENT,
          "TLS needs certificates and keys that can be read: got '" + path + "'; give PEM files");
  }
  return text;
}

}  // namespace

Credentials::Credentials(const std::optional<TlsOptions>& options)
    : is_encrypted_(options.has_value()) {
  if (!options) return;
  if (options->client_certificate.empty() != options->client_key.empty()) {
    raise(error::v1::CODE_INVALID_ARGUMENT,
          "a client's certificate comes with its key: got one without the other; give both");
  }
  trusted_ = pem(options->trusted_certificates);
  certificate_ = pem(options->client_certificate);
  key_ = pem(options->client_key);
  host_name_ = options->host_name;
}

std::shared_ptr<grpc::ChannelCredentials> Credentials::for_channel() const {
  if (!is_encrypted_) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = trusted_;
  options.pem_cert_chain = certificate_;
  options.pem_private_key = key_;
  return grpc::SslCredentials(options);
}

}  // namespace springald
